// The packaged graphs on ONNX Runtime Web.

import type * as Ort from "onnxruntime-web";

/** The network's answer to one search crop. */
export interface Maps {
  readonly scores: Float32Array; // (S, S)
  readonly boxes: Float32Array; // (4, S, S)
  readonly searchEmbedding: Float32Array; // (C): search features, averaged with the scores as weights
}

/** `embed` and `match` of one member of the family. */
export class Network {
  private constructor(
    private readonly ort: typeof Ort,
    private readonly templateSession: Ort.InferenceSession,
    private readonly matchSession: Ort.InferenceSession,
  ) {}

  /** @param load gives the bytes of `embed.onnx` and `match.onnx` */
  static async load(ort: typeof Ort, load: (file: string) => Promise<Uint8Array>): Promise<Network> {
    const [embed, match] = await Promise.all(["embed.onnx", "match.onnx"].map(load));
    const options: Ort.InferenceSession.SessionOptions = { executionProviders: ["wasm"], graphOptimizationLevel: "all" };
    return new Network(ort, await ort.InferenceSession.create(embed!, options), await ort.InferenceSession.create(match!, options));
  }

  /** Template crop (side, side, 3) → features (C, side/16, side/16). */
  async encodeTemplate(crop: Uint8Array): Promise<Float32Array> {
    const side = Math.sqrt(crop.length / 3);
    const template = new this.ort.Tensor("uint8", crop, [1, side, side, 3]);
    const answer = await this.templateSession.run({ template });
    return copied(Object.values(answer)[0]!);
  }

  /** Search crop (side, side, 3) and template features (C, T, T) → maps. */
  async match(crop: Uint8Array, features: Float32Array, channels: number): Promise<Maps> {
    const side = Math.sqrt(crop.length / 3);
    const cells = Math.sqrt(features.length / channels);
    const answer = await this.matchSession.run({
      search: new this.ort.Tensor("uint8", crop, [1, side, side, 3]),
      template_features: new this.ort.Tensor("float32", features, [1, channels, cells, cells]),
    });
    const [scores, boxes, searchEmbedding] = this.matchSession.outputNames.map((name) => copied(answer[name]!));
    return { scores: scores!, boxes: boxes!, searchEmbedding: searchEmbedding! };
  }
}

function copied(tensor: Ort.Tensor): Float32Array {
  const values = Float32Array.from(tensor.data as Float32Array);
  tensor.dispose();
  return values;
}
