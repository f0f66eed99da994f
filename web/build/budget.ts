import { gzipSync } from 'node:zlib';
import type { Plugin, Rolldown } from 'vite';

const most = 120 * 1024; // gzip, of scripts and styles to the login and the chat list

// budget adds up what the first screen needs: the entry with all that it imports at
// once. A build over it fails.
export function budget(): Plugin {
	return {
		name: 'mirsal-budget',
		generateBundle(_, bundle) {
			const entry = Object.values(bundle).find((c) => c.type === 'chunk' && c.isEntry && c.name === 'index');
			if (!entry || entry.type !== 'chunk') return;
			const names = reached(entry, bundle);
			const size = [...names].reduce((sum, name) => sum + packed(bundle[name]!), 0);
			console.log(`first screen: ${(size / 1024).toFixed(1)} of ${most / 1024} KB (gzip) in ${names.size} files`);
			if (size > most) this.error('the first screen is over its budget');
		},
	};
}

function reached(chunk: Rolldown.OutputChunk, bundle: Rolldown.OutputBundle, found = new Set<string>()): Set<string> {
	if (found.has(chunk.fileName)) return found;
	found.add(chunk.fileName);
	for (const css of chunk.viteMetadata?.importedCss ?? []) found.add(css);
	for (const name of chunk.imports) {
		const next = bundle[name];
		if (next?.type === 'chunk') reached(next, bundle, found);
	}
	return found;
}

const packed = (f: Rolldown.OutputChunk | Rolldown.OutputAsset) => gzipSync(f.type === 'chunk' ? f.code : f.source, { level: 9 }).length;
