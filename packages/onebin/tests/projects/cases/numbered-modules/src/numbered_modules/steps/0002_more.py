STEP = 'second'
