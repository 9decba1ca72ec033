WHERE = "inside"
