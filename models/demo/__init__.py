"""The models shipped with Callbox and what rebuilds them. Nothing here is imported when a call is answered."""
