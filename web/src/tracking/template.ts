// The dual template and the rule that renews it (src/fear/tracking/template.py).

/** Static and dynamic template of one target. */
export class DualTemplate {
  /** (C, T, T): what the network compares with. */
  features: Float32Array;
  private embedding: Float32Array;
  private frames = 0;
  private bestSimilarity = -Infinity;
  private bestCrop: Uint8Array | null = null;

  /**
   * @param staticFeatures (C, T, T), features of the first frame's crop
   * @param channels C
   * @param weight w of the dual template; at 0 nothing is ever renewed
   * @param interval frames between renewals
   */
  constructor(
    private readonly staticFeatures: Float32Array,
    private readonly channels: number,
    private readonly weight: number,
    private readonly interval: number,
  ) {
    this.features = staticFeatures;
    this.embedding = mean(staticFeatures, channels);
  }

  /** Cosine similarity of the target and what was found, −1 to 1. */
  similarity(searchEmbedding: Float32Array): number {
    const length = Math.sqrt(dot(this.embedding, this.embedding) * dot(searchEmbedding, searchEmbedding));
    return length > 0 ? dot(this.embedding, searchEmbedding) / length : 0;
  }

  /** Counts one tracked frame and, at the end of an interval, renews the dynamic template. `cut` is null while the target is lost. */
  async observe(
    similarity: number,
    cut: (() => Uint8Array) | null,
    encodeTemplate: (crop: Uint8Array) => Promise<Float32Array>,
  ): Promise<void> {
    if (this.weight === 0) return;
    this.frames += 1;
    if (cut !== null && similarity > this.bestSimilarity) [this.bestSimilarity, this.bestCrop] = [similarity, cut()];
    if (this.frames < this.interval) return;
    const crop = this.bestCrop;
    [this.bestCrop, this.bestSimilarity, this.frames] = [null, -Infinity, 0];
    if (crop === null) return;
    const dynamic = await encodeTemplate(crop);
    this.features = this.staticFeatures.map((value, place) => (1 - this.weight) * value + this.weight * dynamic[place]!);
    this.embedding = mean(this.features, this.channels);
  }
}

function dot(a: Float32Array, b: Float32Array): number {
  return a.reduce((sum, value, place) => sum + value * b[place]!, 0);
}

/** (C, T, T) → (C,) */
function mean(features: Float32Array, channels: number): Float32Array {
  const places = features.length / channels;
  return Float32Array.from({ length: channels }, (_, channel) => {
    const values = features.subarray(channel * places, (channel + 1) * places);
    return values.reduce((sum, value) => sum + value, 0) / places;
  });
}
