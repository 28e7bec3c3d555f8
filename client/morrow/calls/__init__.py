"""Every operation of the API as a function that says what is asked; nothing here is sent."""
