/** What judges ID tokens: `Jwt` of src/js/jwt.rs. */
export interface Judge {
  prepare(jwksUri?: string): void;
  /**
   * What passes is text: a check, and the verdict on it, which `done` gets. With a JWK Set, by its keys alone. Of a token, which
   * begins otherwise, the verdict is what it says.
   */
  verify(check: string, jwks: string | undefined, done: (verdict: string) => void): void;
}

/** An instance of the second module and the glue around it. */
export interface JudgeInstance {
  Jwt: new () => Judge;
  startNow(about: { module: WebAssembly.Module }): unknown;
}

/** What tools/glue.mjs makes of the glue that wasm-bindgen writes; there is no such file. */
export function instantiate(): JudgeInstance;
