/* SPDX-License-Identifier: MIT */
/*
 * Writes an image of NARs in a process in a jail (role writer): it has the image, unnamed files,
 * and lines to the parent, which serves the NARs (stream_wire.h).
 *
 *     writer                              parent
 *     DONE le64 size, le64 free blocks, le32 groups, le32 inodes of each group
 *     FAILED error
 */
#ifndef IMAGE_IMAGE_WRITER_H
#define IMAGE_IMAGE_WRITER_H

#include "image/image.h"

struct image_writer;

/*
 * Start the process, while the program has only one thread. plan and target as for image_write(),
 * with a stream, and with counters and stop flag in shared memory; both are borrowed until
 * image_writer_free(). spool_dir: for unnamed files.
 */
int image_writer_start(struct image_plan *plan, struct target *target, const char *spool_dir,
                       struct image_writer **out, struct err *err);
/* As image_write(), with all threads. Of the layout only sizes are known afterwards. */
int image_writer_run(struct image_writer *w, struct err *err);
/* NULL is allowed. Ends the process if it still runs. */
void image_writer_free(struct image_writer *w);

#endif
