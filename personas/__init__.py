"""Who the client is, how the client changes, how the client speaks."""
