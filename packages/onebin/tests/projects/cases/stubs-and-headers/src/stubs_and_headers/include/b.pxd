cdef int b
