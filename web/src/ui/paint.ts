// Boxes on a picture: on the page, and in the video that is saved.

import type { Recording } from "../record/record";
import type { Target } from "../record/target";
import type { Box } from "../tracking/geometry";

const LINE = 2; // pixels of the screen
const TEXT = 13;

type Context = CanvasRenderingContext2D | OffscreenCanvasRenderingContext2D;

/**
 * Draws the boxes of all targets in a frame. Boxes of lost targets are dashed, that of the selected target is thicker.
 *
 * @param unit pixels of the frame for one pixel of the screen
 */
export function paintTargets(context: Context, record: Recording, frame: number, selected: Target | null, unit: number): void {
  for (const target of record.targets) {
    const entry = target.at(frame);
    if (entry === undefined) continue;
    outline(context, entry.box, target.colour, { dashed: entry.lost, thick: target === selected && record.targets.length > 1, unit });
    label(context, entry.box, entry.lost ? `${target.name} (lost)` : target.name, target.colour, unit);
  }
}

export function outline(context: Context, box: Box, colour: string, style: { dashed: boolean; thick: boolean; unit: number }): void {
  const line = LINE * style.unit * (style.thick ? 1.6 : 1);
  context.save();
  context.lineJoin = "round";
  if (style.dashed) context.setLineDash([line * 4, line * 3]);
  for (const [stroke, width] of [["rgb(0 0 0 / 60%)", line * 2], [colour, line]] as const) {
    context.strokeStyle = stroke;
    context.lineWidth = width;
    context.strokeRect(box.x, box.y, box.width, box.height);
  }
  context.restore();
}

function label(context: Context, box: Box, text: string, colour: string, unit: number): void {
  const size = TEXT * unit;
  const scale = context.getTransform().a; // canvas pixels for one of the frame
  const [frameWidth, frameHeight] = [context.canvas.width / scale, context.canvas.height / scale];
  context.save();
  context.font = `600 ${size}px system-ui, sans-serif`;
  const width = context.measureText(text).width + size * 0.8;
  const x = Math.min(Math.max(box.x, 0), Math.max(frameWidth - width, 0));
  const above = box.y - size * 1.5;
  const y = above >= 0 ? above : Math.min(box.y + box.height + size * 0.2, frameHeight - size * 1.4);
  context.fillStyle = "rgb(0 0 0 / 70%)";
  context.fillRect(x, y, width, size * 1.35);
  context.fillStyle = colour;
  context.textBaseline = "middle";
  context.fillText(text, x + size * 0.4, y + size * 0.7);
  context.restore();
}
