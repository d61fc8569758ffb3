/* SPDX-License-Identifier: MIT */
/* Elapsed time by the monotonic clock, which does not change with the host's date. */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <pthread.h>
#include <stdint.h>

#define CLOCK_SECOND 1000000000 /* in nanoseconds */

int64_t clock_ns(void);
int64_t clock_ms(void);
/* Seconds since a value of clock_ns(). */
double clock_seconds_since(int64_t ns);

/*
 * pthread_cond_wait(), for at most ns nanoseconds. May also return early, so check the condition
 * again.
 */
void clock_wait(pthread_cond_t *cond, pthread_mutex_t *lock, int64_t ns);

#endif
