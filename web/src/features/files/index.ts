// Files: chosen, pasted or dropped into a conversation, and kept from it.

import type { Feature } from '../../feature';
import { m } from '../../i18n';
import { carries, fileOf } from '../../model/media';
import Attach from './Attach.svelte';
import Document from './Document.svelte';

export const files: Feature = {
	name: 'files',
	start: () => {
		// what is dropped beside a conversation is not to be opened in place of the page
		for (const name of ['dragover', 'drop'] as const) addEventListener(name, (e) => e.preventDefault());
	},
	tools: { now: Attach },
	part: { when: (message) => carries(message, 'document'), view: { now: Document } },
	messageActions: ({ files: sent }, message, all) => {
		const file = fileOf(message);
		if (!file || all.filter(fileOf).length > 1 || (file.state !== 'here' && file.state !== 'remote')) return [];
		return [{ label: m.files_save_as(), icon: 'download', run: () => void sent.save(message) }];
	},
};
