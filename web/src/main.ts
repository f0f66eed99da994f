import './ui/fonts.css';
import './ui/tokens.css';
import './ui/base.css';
import { mount } from 'svelte';
import { features } from './app';
import App from './App.svelte';
import { speak } from './i18n';
import { World } from './model/world';
import { browserVault } from './model/snapshot';
import { startEngine } from './port/engine';
import { deviceLabel } from './device';

// What was seen last is painted while the engine is on its way.
async function start() {
	const world = new World(startEngine(deviceLabel(navigator.userAgent)), browserVault());
	speak(world.settings);
	await world.paint();
	mount(App, { target: document.body, props: { world, features } });
	for (const feature of features) feature.start?.(world);
}

void start();
