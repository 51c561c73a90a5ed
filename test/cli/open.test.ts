import { describe, expect, it } from 'vitest';
import { runStatehouse } from './run-statehouse.ts';

describe('statehouse open', () => {
  it('prints where the page is, and where it shows a state, whatever stands in the key', async () => {
    expect(await runStatehouse(['open'])).toMatchObject({ code: 0, out: 'http://127.0.0.1:7117/\n' });
    const words = ['open', 'app/net work?.tfstate@dev', '--server', 'https://state.example.com/', '--json'];
    const { out } = await runStatehouse(words);
    expect(JSON.parse(out)).toEqual({ url: 'https://state.example.com/s/app/net%20work%3F.tfstate@dev' });
  });

  it('refuses what is no address', async () => {
    expect(await runStatehouse(['open', 'nothing'])).toMatchObject({ code: 2 });
  });
});
