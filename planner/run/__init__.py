"""A run: the plan evaluated into totals, limits that bind, failures and money, and the folder that holds them."""
