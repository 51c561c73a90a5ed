/** One bar, in pixels. */
export interface Bar {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

const WIDTH = 4;
const GAP = 1;
const HEIGHT = 16;

/** Lengths of time as bars beside each other, the longest as high as there is room, none so low that it is not seen. */
export function barsOf(lengths: readonly number[]): {
  readonly bars: readonly Bar[];
  readonly width: number;
  readonly height: number;
} {
  const most = Math.max(1, ...lengths);
  const bars = lengths.map((length, index): Bar => {
    const height = Math.max(2, Math.round((length / most) * HEIGHT));
    return { x: index * (WIDTH + GAP), y: HEIGHT - height, width: WIDTH, height };
  });
  return { bars, width: Math.max(0, bars.length * (WIDTH + GAP) - GAP), height: HEIGHT };
}
