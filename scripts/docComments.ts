/*
 * Looks at the declarations that are published: every public name has to be explained there, as strangers meet it in their
 * editor. Time is drawn, units and defaults are said, and so is what errors and unsubscribing do.
 */
import { existsSync } from 'node:fs';
import { join, relative } from 'node:path';
import ts from 'typescript';
import { readEntryPoints, root } from './entryPoints.ts';

const entryPoints = readEntryPoints().filter(({ types }) => existsSync(join(root, types)));
const program = ts.createProgram({
  rootNames: entryPoints.map(({ types }) => join(root, types)),
  options: {
    module: ts.ModuleKind.NodeNext,
    target: ts.ScriptTarget.ES2022,
    skipLibCheck: true,
    noEmit: true,
    types: [],
  },
});
const checker = program.getTypeChecker();
const problems = new Set<string>();
let names = 0;

function commentOf(node: ts.Node): string {
  return ts
    .getJSDocCommentsAndTags(node)
    .map((part) => part.getText())
    .join('\n');
}

function report(node: ts.Node, name: string, what: string): void {
  const file = relative(join(root, 'dist/esm'), node.getSourceFile().fileName);
  problems.add(`${file}: ${name}: ${what}`);
}

const isOurs = (node: ts.Node): boolean => node.getSourceFile().fileName.startsWith(join(root, 'dist'));

/** A discriminant says itself: `type: 'text-delta'`. */
function saysItself(member: ts.TypeElement | ts.ClassElement): boolean {
  if (!ts.isPropertySignature(member) || member.type === undefined) return false;
  return ts.isLiteralTypeNode(member.type);
}

const TIME =
  /^(?:delay|timeout|.*Timeout|.*Delay|each|first|every|maxElapsed|heartbeat|interval|retryAfter|window|.*Ms)$/;
/** How a default is said; the comment of the whole may say it for all of its members. */
const DEFAULT = /default|absent|without|left out|\bnone\b|\bno limit\b|switches it off/i;
const UNIT = /millisecond|\bms\b|seconds/i;

function isNumber(type: ts.TypeNode | undefined): boolean {
  return type !== undefined && /\bnumber\b/.test(type.getText()) && !/^\(/.test(type.getText());
}

function checkMembers(node: ts.InterfaceDeclaration | ts.ClassDeclaration, name: string): void {
  const whole = commentOf(node);
  for (const member of node.members) {
    if (member.name === undefined || saysItself(member)) continue;
    if (
      ts.canHaveModifiers(member) &&
      ts.getModifiers(member)?.some(({ kind }) => kind === ts.SyntaxKind.PrivateKeyword)
    )
      continue;
    if (ts.isPrivateIdentifier(member.name)) continue;
    const path = `${name}.${member.name.getText()}`;
    const comment = commentOf(member);
    const isSetting = /(?:Config|Options)$/.test(name) && ts.isPropertySignature(member);
    const isCallback = /^on[A-Z]/.test(member.name.getText());
    // What a name and its type say needs no words, unless it is a setting.
    if (comment === '' && isSetting) report(member, path, 'has no doc comment');
    if (!isSetting || comment === '') continue;
    if (member.questionToken && !isCallback && !DEFAULT.test(comment) && !DEFAULT.test(whole)) {
      report(member, path, 'does not say its default');
    }
    if (isNumber(member.type) && TIME.test(member.name.getText()) && !UNIT.test(comment) && !UNIT.test(whole)) {
      report(member, path, 'does not say its unit');
    }
  }
}

function checkFunction(node: ts.FunctionDeclaration, name: string): void {
  const comment = commentOf(node);
  if (comment === '') return report(node, name, 'has no doc comment');
  const result = node.type?.getText() ?? '';
  const isOperator = /^(?:MonoTypeOperatorFunction|OperatorFunction)\b/.test(result);
  const isStream = isOperator || /^Observable\b/.test(result);
  if (isOperator && !comment.includes('```text')) report(node, name, 'has no marble diagram');
  if (isStream && !/error|throw|fail/i.test(comment)) report(node, name, 'does not say what errors do');
  if (isStream && !/unsubscri|cancel|cold|leav/i.test(comment))
    report(node, name, 'does not say what unsubscribing does');
}

function checkDeclaration(node: ts.Declaration, name: string, isFurtherOverload: boolean): void {
  if (ts.isFunctionDeclaration(node) && !isFurtherOverload) return checkFunction(node, name);
  const commented = ts.isVariableDeclaration(node) ? node.parent.parent : node;
  if (commentOf(commented) === '') report(node, name, 'has no doc comment');
  if (ts.isInterfaceDeclaration(node) || ts.isClassDeclaration(node)) checkMembers(node, name);
}

for (const { types, specifier } of entryPoints) {
  const file = program.getSourceFile(join(root, types));
  const module = file && checker.getSymbolAtLocation(file);
  if (module === undefined) {
    // A module without an export is none to the compiler.
    process.stdout.write(`docs: ${specifier} exports nothing\n`);
    continue;
  }
  for (const symbol of checker.getExportsOfModule(module)) {
    const target = symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol;
    const declarations = (target.declarations ?? []).filter(isOurs);
    names++;
    // Overloads are explained one by one; a type and a value of one name may share a comment.
    declarations.forEach((declaration, index) => checkDeclaration(declaration, symbol.name, index > 0));
  }
}

for (const problem of problems) process.stderr.write(`${problem}\n`);
process.stdout.write(`docs: ${names} public names looked at, ${problems.size} problems\n`);
process.exit(problems.size > 0 || names === 0 ? 1 : 0);
