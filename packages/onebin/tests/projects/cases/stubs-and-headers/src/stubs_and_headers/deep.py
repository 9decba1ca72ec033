slow = "loaded late"
