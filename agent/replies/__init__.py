"""What is answered: replies begun ahead, what was heard of them, apologies."""
