import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Plugin } from 'vite';

const hash = (bytes: Uint8Array) => `sha256-${createHash('sha256').update(bytes).digest('base64')}`;

// integrity has the page name the hash of each script and style that it loads, so that none that was changed
// runs on a first visit either. Scripts that are fetched later are checked by the service worker.
export function integrity(): Plugin {
	return {
		name: 'mirsal-integrity',
		writeBundle: {
			order: 'post',
			sequential: true,
			handler({ dir }) {
				const page = join(dir!, 'index.html');
				const named = readFileSync(page, 'utf8').replace(/<(?:script|link)[^>]* (?:src|href)="\/(assets\/[^"]+\.(?:js|css))"/g, (tag, path: string) => `${tag} integrity="${hash(readFileSync(join(dir!, path)))}"`);
				const tags = (sign: RegExp) => named.match(sign)?.length ?? 0;
				if (tags(/ integrity="/g) < 2 || tags(/ integrity="/g) !== tags(/"\/assets\//g)) throw new Error('a script or style of the page has no hash');
				writeFileSync(page, named);
			},
		},
	};
}

/** hashOf is that of a file, for whoever fetches it. */
export const hashOf = (path: string) => hash(readFileSync(path));
