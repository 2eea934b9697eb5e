import { own } from "./error.js";
import { REFUSED, STORAGE } from "./generated/storage.js";
import type { StorageChoice, StorageDescription } from "./types.js";

/**
 * What a storage choice gives and risks, in facts and in plain sentences: for documentation, and for the person who chooses.
 *
 * @throws {AuthError} `config_invalid`, where there is no such medium.
 */
export function describeStorage(choice: StorageChoice): StorageDescription {
  const { kind, dangerouslyPlaintext = false } =
    typeof choice === "string" ? { kind: choice } : (choice as { kind: string; dangerouslyPlaintext?: boolean });
  if (!Object.hasOwn(STORAGE, kind)) {
    throw own("config_invalid", `\`storage\` must be one of ${Object.keys(STORAGE).join(", ")}.`);
  }
  const { refused, notes, ...facts } = STORAGE[kind as keyof typeof STORAGE];
  return { ...facts, notes: refused && !dangerouslyPlaintext ? [REFUSED, ...notes] : [...notes] };
}
