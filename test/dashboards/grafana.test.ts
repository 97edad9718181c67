import { resolve } from 'node:path';
import { expect, it } from 'vitest';
import { grafana } from './grafana.ts';

const file = resolve(import.meta.dirname, '../../roles/monitoring_server/grafana.json');

it('the dashboard for Grafana is what the list of panels gives (npm run docs writes it)', async () => {
  await expect(grafana()).toMatchFileSnapshot(file);
});
