"""The database: engine, base types, migrations, backup. Rooms keep their own tables in their own ``records.py``."""
