import { Module } from '@nestjs/common';
import { ChatController } from './chat.controller.js';
import { llmProvider } from './llm.js';

@Module({ controllers: [ChatController], providers: [llmProvider] })
export class ChatModule {}
