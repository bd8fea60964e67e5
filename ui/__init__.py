"""The pages of Practice Room. With ``app.py`` the only place that imports Streamlit."""
