/* SPDX-License-Identifier: MIT */
/* Threads, and jobs that several threads share. */
#ifndef BASE_POOL_H
#define BASE_POOL_H

#include <pthread.h>
#include <stddef.h>

#include "base/err.h"

/* Start a thread with all signals blocked. 0 or an errno. */
int pool_thread(pthread_t *id, void *(*run)(void *), void *arg);

/*
 * A job: number i of n, on thread number worker (0 up to threads - 1), so that
 * each thread can keep a state of its own. Returns 0 or -ERR_*.
 */
typedef int pool_job(void *ctx, unsigned worker, size_t i, struct err *err);

/*
 * Run jobs 0 to n - 1, started in that order, and wait for all. After the first
 * failure no more jobs are started, and its error is returned.
 */
int pool_run(unsigned threads, size_t n, pool_job *job, void *ctx, struct err *err);

/* A good number of threads on this machine for work that is half I/O: 4 to 16. */
unsigned pool_threads(void);

#endif
