/** Reads the files of docker/ and docker-compose.yml as data, for tests of what they say. */
import { readFileSync } from 'node:fs';
import { parse, parseAllDocuments } from 'yaml';
import { ROOT } from './repository.ts';

export function readText(path: string): string {
  return readFileSync(`${ROOT}/${path}`, 'utf8');
}

/** A YAML file with its merge keys applied. */
export function readYaml<Shape>(path: string): Shape {
  return parse(readText(path), { merge: true }) as Shape;
}

/** Every document of a YAML text. */
export function yamlDocuments<Shape>(text: string): Shape[] {
  return parseAllDocuments(text).map((document) => {
    const [error] = document.errors;
    if (error !== undefined) throw error;
    return document.toJS() as Shape;
  });
}
