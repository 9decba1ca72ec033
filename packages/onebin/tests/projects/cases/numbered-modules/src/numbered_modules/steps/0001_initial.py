STEP = 'first'
