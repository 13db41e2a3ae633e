"""The hourly year of a finished plan: energy, water, PUE and hours over rating from weather and average loads."""
