/*
 * imported - tells the kernel process which well-known libraries the session uses
 *
 * For the imports of templates. Says names of a table and nothing else: what a cell puts into sys.modules
 * can at most name another of them.
 */
#pragma once

/* Between two requests; costs nothing unless something was imported. */
void imported_tell(void);
