/** What this page uses of uPlot; its own types are in its package. */

export type Data = [number[], number[]];

type Colour = string | (() => string);

export type Paths = { readonly paths: unique symbol };

export interface Options {
  width: number;
  height: number;
  legend: { show: boolean };
  padding: [number, number, number, number];
  cursor: { y: boolean; drag: { x: boolean; y: boolean }; points: { show: boolean } };
  scales: Record<"x" | "y", { time?: boolean; range: (plot: Plot, min: number, max: number) => [number, number] }>;
  axes: {
    stroke: Colour;
    font: string;
    size: number;
    gap: number;
    grid: { show?: boolean; stroke?: Colour; width?: number };
    ticks: { show: boolean };
    space?: number;
    values?: (plot: Plot, splits: number[]) => string[];
    show?: boolean;
  }[];
  series: (object | { fill: Colour; paths: Paths; points: { show: boolean } })[];
  hooks: { draw: ((plot: Plot) => void)[]; setCursor: ((plot: Plot) => void)[] };
}

export default class Plot {
  static paths: { bars: (how: { size: [number, number]; radius?: number }) => Paths };
  constructor(options: Options, data: Data, target: HTMLElement);
  cursor: { idx?: number | null };
  bbox: { left: number; top: number; width: number; height: number };
  ctx: CanvasRenderingContext2D;
  setData(data: Data): void;
  setSize(size: { width: number; height: number }): void;
  redraw(rebuildPaths?: boolean): void;
  valToPos(value: number, scale: string, canvasPixels?: boolean): number;
}
