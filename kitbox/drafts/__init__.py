"""Draft recipes: a look at a competition's files, and a recipe with its guesses explained."""
