"""What is asked of the database's migrations before they may land."""
