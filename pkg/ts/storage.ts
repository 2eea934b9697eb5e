import { own } from "./error.js";
import { PLAIN, SEALED, STORAGE } from "./generated/storage.js";
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
  const { notes, ...facts } = STORAGE[kind as keyof typeof STORAGE];
  const form = dangerouslyPlaintext ? PLAIN : SEALED;
  return { ...facts, notes: kind === "memory" ? [...notes] : [...form, ...notes] };
}
