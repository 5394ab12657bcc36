"""The front desk's book and the tools that reach it."""
