import 'reflect-metadata';
import { NestFactory } from '@nestjs/core';
import { ChatModule } from './chat.module.js';

const app = await NestFactory.create(ChatModule);
await app.listen(process.env['PORT'] ?? 3000, '127.0.0.1');
console.log(`POST ${await app.getUrl()}/chat {"question":"…"}`);
