import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { sh } from 'hostwright';
import { converge, openRoot, probe, refuse, type Root } from 'hostwright/testing';
import { alternative } from '../../resources/alternative.ts';

let root: Root;

before(async () => {
  root = await openRoot();
  await root.ask(sh`update-alternatives --install /usr/bin/pager pager /bin/cat 1 --quiet
update-alternatives --install /usr/bin/pager pager /bin/more 2 --quiet`);
});

after(() => root.close());

test('it leads where it should', async () => {
  const change = await converge(root, alternative('pager', { to: '/bin/cat' }));
  assert.deepEqual(change.attributes, [{ name: 'to', from: '/bin/more', to: '/bin/cat' }]);
});

test('what no package has registered is refused', async () => {
  const before = await probe(root, alternative('pager', { to: '/bin/cat' }));
  await refuse(root, alternative('pager', { to: '/bin/true' }));
  assert.deepEqual(await probe(root, alternative('pager', { to: '/bin/cat' })), before);
});

test('one that nobody knows is absent', async () => {
  assert.equal(await probe(root, alternative('no-such', { to: '/bin/cat' })), null);
});
