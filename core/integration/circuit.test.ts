import { describe, expect, test } from '@jest/globals';
import { createFakeClock } from '../runtime/fake-clock.ts';
import { Circuit, type Admission } from './circuit.ts';

function setUp(): { circuit: Circuit; clock: ReturnType<typeof createFakeClock>; admit: () => Admission } {
  const clock = createFakeClock(1_000);
  const circuit = new Circuit({ clock, threshold: 3, openMs: 5_000 });
  const admit = (): Admission => {
    const admission = circuit.admit();
    if (typeof admission === 'number') throw new Error(`not admitted for ${admission} ms`);
    return admission;
  };
  return { circuit, clock, admit };
}

describe('Circuit', () => {
  test('opens after so many failures in a row and says for how long', async () => {
    const { circuit, clock, admit } = setUp();
    admit().failed();
    admit().failed();
    admit().succeeded();
    for (let i = 0; i < 2; i += 1) admit().failed();
    expect(circuit.state).toBe('closed');
    admit().failed();
    expect(circuit.state).toBe('open');
    expect(circuit.admit()).toBe(5_000);
    await clock.advance(2_000);
    expect(circuit.admit()).toBe(3_000);
  });

  test('lets one probe through after that time, whose success closes it', async () => {
    const { circuit, clock, admit } = setUp();
    for (let i = 0; i < 3; i += 1) admit().failed();
    await clock.advance(5_000);
    expect(circuit.state).toBe('half_open');
    const probe = admit();
    expect(probe.isProbe).toBe(true);
    expect(circuit.admit()).toBeGreaterThan(0);
    probe.succeeded();
    expect(circuit.state).toBe('closed');
    expect(admit().isProbe).toBe(false);
  });

  test('opens for the whole time again when the probe fails', async () => {
    const { circuit, clock, admit } = setUp();
    for (let i = 0; i < 3; i += 1) admit().failed();
    await clock.advance(6_000);
    admit().failed();
    expect(circuit.state).toBe('open');
    expect(circuit.admit()).toBe(5_000);
  });

  test('takes another probe when the first was given up by its caller', async () => {
    const { circuit, clock, admit } = setUp();
    for (let i = 0; i < 3; i += 1) admit().failed();
    await clock.advance(5_000);
    admit().abandoned();
    expect(circuit.state).toBe('half_open');
    admit().succeeded();
    expect(circuit.state).toBe('closed');
  });

  test('ignores calls that were begun before it last changed', async () => {
    const { circuit, clock, admit } = setUp();
    const [early, late] = [admit(), admit()];
    for (let i = 0; i < 3; i += 1) admit().failed();
    early.succeeded();
    expect(circuit.state).toBe('open');
    await clock.advance(5_000);
    admit().succeeded();
    late.failed();
    for (let i = 0; i < 2; i += 1) admit().failed();
    expect(circuit.state).toBe('closed');
  });
});
