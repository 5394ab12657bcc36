"""`make run`: starts what makes up Callbox, restarts what dies, and leaves nothing behind."""
