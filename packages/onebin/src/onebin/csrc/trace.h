/* Where the files inside are used, for onebin build --trace; nothing in any other executable. */
#ifndef ONEBIN_TRACE_H
#define ONEBIN_TRACE_H

#include "program.h" /* TRACES; embed/files.py writes it */

/* Note that *node* was opened or described ('f'), or listed ('l'). */
void files_trace(int node, char mark);

#if TRACES
#define TRACE(node, mark) files_trace(node, mark)
#else
#define TRACE(node, mark) ((void)0)
#endif

#endif
