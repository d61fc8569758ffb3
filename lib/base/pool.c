/* SPDX-License-Identifier: MIT */
#include "base/pool.h"
#include "base/mem.h"

#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>

#define THREADS_MIN 4u
#define THREADS_MAX 16u

struct pool {
	size_t n;
	pool_job *job;
	void *ctx;
	atomic_size_t next;
	atomic_bool failed;
	pthread_mutex_t lock; /* of err */
	struct err *err;
	int rc;
};

struct worker {
	struct pool *pool;
	unsigned number;
};

static void fail(struct pool *p, int rc, const struct err *err)
{
	pthread_mutex_lock(&p->lock);
	if (!p->rc) {
		p->rc = rc;
		*p->err = *err;
	}
	pthread_mutex_unlock(&p->lock);
	atomic_store(&p->failed, true);
}

static void *work(void *arg)
{
	struct worker *me = arg;
	struct pool *p = me->pool;
	struct err err = ERR_INIT;

	while (!atomic_load(&p->failed)) {
		size_t i = atomic_fetch_add(&p->next, 1);
		int rc;

		if (i >= p->n)
			break;
		rc = p->job(p->ctx, me->number, i, &err);
		if (rc < 0)
			fail(p, rc, &err);
	}
	return NULL;
}

int pool_thread(pthread_t *id, void *(*run)(void *), void *arg)
{
	sigset_t all, old;
	int rc;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	rc = pthread_create(id, NULL, run, arg);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return rc;
}

int pool_run(unsigned threads, size_t n, pool_job *job, void *ctx, struct err *err)
{
	struct pool p = {.n = n, .job = job, .ctx = ctx, .err = err};
	struct worker workers[THREADS_MAX];
	pthread_t ids[THREADS_MAX];
	unsigned started = 0;

	threads = (unsigned)MIN(MAX(threads, 1u), THREADS_MAX);
	threads = (unsigned)MIN((size_t)threads, MAX(n, (size_t)1));
	pthread_mutex_init(&p.lock, NULL);
	for (unsigned i = 0; i < threads; i++)
		workers[i] = (struct worker){.pool = &p, .number = i};
	while (started + 1 < threads &&
	       pool_thread(&ids[started], work, &workers[started + 1]) == 0)
		started++;
	work(&workers[0]);
	while (started)
		pthread_join(ids[--started], NULL);
	pthread_mutex_destroy(&p.lock);
	return p.rc;
}

unsigned pool_threads(void)
{
	cpu_set_t set;
	unsigned cpus = 1;

	if (sched_getaffinity(0, sizeof set, &set) == 0)
		cpus = (unsigned)CPU_COUNT(&set);
	return MIN(MAX(cpus * 2, THREADS_MIN), THREADS_MAX);
}
