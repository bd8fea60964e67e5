"""From guidance documents to passages to verified citations. A document is data: nothing in it is ever carried out."""
