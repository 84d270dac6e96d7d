"""What decides gamma, methods and settings: pairs of the training dictionary held out."""
