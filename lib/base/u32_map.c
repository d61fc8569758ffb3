/* SPDX-License-Identifier: MIT */
#include "base/u32_map.h"
#include "base/mem.h"

#define FIRST 64u

struct u32_slot {
	uint32_t key, taken; /* the value plus one; 0: free */
};

/* The key's slot, or the free slot where it would go. At most half of the slots are taken. */
static struct u32_slot *slot_of(struct u32_slot *slots, size_t cap, uint32_t key)
{
	size_t i = (size_t)((key * 2654435761u) >> 7) & (cap - 1);

	while (slots[i].taken && slots[i].key != key)
		i = (i + 1) & (cap - 1);
	return &slots[i];
}

static void grow(struct u32_map *m)
{
	size_t cap = m->cap ? m->cap * 2 : FIRST;
	struct u32_slot *slots = xcalloc(cap, sizeof *slots);

	for (size_t i = 0; i < m->cap; i++)
		if (m->slots[i].taken)
			*slot_of(slots, cap, m->slots[i].key) = m->slots[i];
	free(m->slots);
	m->slots = slots;
	m->cap = cap;
}

bool u32_map_put(struct u32_map *m, uint32_t key, uint32_t value)
{
	struct u32_slot *slot;
	bool is_new;

	if (m->n >= m->cap / 2)
		grow(m);
	slot = slot_of(m->slots, m->cap, key);
	is_new = !slot->taken;
	*slot = (struct u32_slot){key, value + 1};
	m->n += is_new;
	return is_new;
}

bool u32_map_get(const struct u32_map *m, uint32_t key, uint32_t *value)
{
	const struct u32_slot *slot = m->cap ? slot_of(m->slots, m->cap, key) : NULL;

	if (!slot || !slot->taken)
		return false;
	*value = slot->taken - 1;
	return true;
}

void u32_map_fini(struct u32_map *m)
{
	free(m->slots);
	*m = (struct u32_map){0};
}
