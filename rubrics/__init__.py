"""What good practice looks like, how a reply is read, and how it is judged."""
