// Where one writes.

import type { Feature } from '../../feature';
import Composer from './Composer.svelte';

export const composer: Feature = { name: 'composer', composer: { now: Composer } };
