// The list of targets: which one is drawn next, what they are called, how sure the tracker is of each.

import type { Target } from "../record/target";
import type { Session } from "../session";

interface Row {
  readonly item: HTMLLIElement;
  readonly choose: HTMLButtonElement;
  readonly facts: HTMLSpanElement;
}

export class TargetList {
  private readonly rows = new Map<Target, Row>();

  constructor(
    private readonly list: HTMLUListElement,
    private readonly session: Session,
    private readonly onRemove: (target: Target) => void,
    private readonly onRename: () => void,
  ) {}

  /** Targets came or went, or another one was chosen. */
  rebuild(): void {
    const { targets } = this.session.record;
    for (const [target, { item }] of [...this.rows]) {
      if (targets.includes(target)) continue;
      item.remove();
      this.rows.delete(target);
    }
    for (const target of targets) {
      const row = this.rows.get(target) ?? this.create(target);
      row.choose.setAttribute("aria-pressed", String(target === this.session.selected));
      row.item.classList.toggle("chosen", target === this.session.selected);
    }
    this.update();
  }

  /** What is known of each target in the frame that is shown. */
  update(): void {
    for (const [target, { facts }] of this.rows) {
      const entry = target.at(this.session.frame);
      let text = "not known in this frame";
      if (entry?.key) text = "drawn by hand";
      else if (entry !== undefined) {
        text = `${entry.lost ? "lost" : "found"} · score ${entry.score.toFixed(2)} · similarity ${entry.similarity.toFixed(2)}`;
      }
      if (facts.textContent !== text) facts.textContent = text;
      facts.classList.toggle("lost", entry?.lost === true);
    }
  }

  private create(target: Target): Row {
    const item = document.createElement("li");
    const choose = document.createElement("button");
    choose.className = "swatch";
    choose.style.setProperty("--colour", target.colour);
    choose.onclick = () => this.session.select(target);
    const name = document.createElement("input");
    name.value = target.name;
    name.maxLength = 40;
    name.oninput = () => {
      target.name = name.value.trim() || `target ${target.id}`;
      label();
      this.onRename();
    };
    const remove = document.createElement("button");
    remove.textContent = "Remove";
    remove.onclick = () => this.onRemove(target);
    const label = () => {
      choose.setAttribute("aria-label", `Choose ${target.name}: the next box corrects it`);
      choose.title = `Choose ${target.name}`;
      name.setAttribute("aria-label", `Name of target ${target.id}`);
      remove.setAttribute("aria-label", `Remove ${target.name}`);
    };
    label();
    const facts = document.createElement("span");
    facts.className = "facts";
    item.append(choose, name, remove, facts);
    this.list.append(item);
    const row = { item, choose, facts };
    this.rows.set(target, row);
    return row;
  }
}
