"""What a run leaves: its folder, predictions, pictures, the saved model."""
