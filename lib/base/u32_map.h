/* SPDX-License-Identifier: MIT */
/* A map from numbers to numbers, such as from an inode to its directory. All zero: empty. */
#ifndef BASE_U32_MAP_H
#define BASE_U32_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct u32_map {
	struct u32_slot *slots;
	size_t n, cap; /* cap: a power of two */
};

/* Map key to value, which is under UINT32_MAX. false: this replaced a value. */
bool u32_map_put(struct u32_map *m, uint32_t key, uint32_t value);
bool u32_map_get(const struct u32_map *m, uint32_t key, uint32_t *value);
void u32_map_fini(struct u32_map *m);

#endif
