"""What decides space, gamma, method and settings: folds of the training dictionary held out."""
