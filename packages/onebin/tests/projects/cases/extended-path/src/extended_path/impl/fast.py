WHERE = 'impl'
