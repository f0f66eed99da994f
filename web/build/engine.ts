import { cpSync, createReadStream, existsSync, mkdirSync, readdirSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { Connect, Plugin } from 'vite';
import { hashOf } from './integrity.ts';

const from = process.env.ENGINE ?? join(import.meta.dirname, '../../bin/wasm');
// attach.js is the page's part and is bundled with it
const ours = (name: string) => !['attach.js', 'sizes.json'].includes(name);

// engine puts what `make wasm` built at /engine/: copied on a build, served to dev and preview.
// What is there packed by gzip is not copied as it is: the server unpacks it for who needs that.
export function engine(): Plugin {
	return {
		name: 'mirsal-engine',
		enforce: 'pre',
		// the Worker takes no other program than the one that this page was built with
		config: (_, { command }) => ({ define: { 'import.meta.env.ENGINE_HASH': JSON.stringify(command === 'build' ? hashOf(join(from, 'engine.wasm')) : '') } }),
		// its Worker of its own, which the screen does not use, is not to be bundled
		transform: {
			filter: { id: /client\/wasm\/attach\.js$/ },
			handler(code) {
				const without = code.replace(/^const ours = .*$/m, 'const ours = undefined;');
				if (without === code) throw new Error('attach.js has no Worker of its own any more');
				return without;
			},
		},
		configureServer: (s) => void s.middlewares.use('/engine', serve(from)),
		configurePreviewServer: (s) => void s.middlewares.use('/engine', serve(join(import.meta.dirname, '../dist/engine'))),
		writeBundle({ dir }) {
			if (!existsSync(from)) throw new Error(`there is no engine in ${from}: run make wasm`);
			const to = join(dir!, 'engine');
			mkdirSync(to, { recursive: true });
			const names = readdirSync(from).filter(ours);
			for (const name of names) if (!names.includes(`${name}.gz`)) cpSync(join(from, name), join(to, name));
		},
	};
}

const serve = (folder: string): Connect.NextHandleFunction => (request, response, next) => {
	const name = basename(request.url!.split('?')[0]!);
	const path = join(folder, name);
	if (!ours(name) || !existsSync(path)) return next();
	response.setHeader('Content-Type', name.endsWith('.wasm') ? 'application/wasm' : 'text/javascript');
	response.setHeader('Content-Length', statSync(path).size);
	createReadStream(path).pipe(response);
};
