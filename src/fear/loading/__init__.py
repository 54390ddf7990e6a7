"""The front door of models: from what a user wrote to a network that runs."""
