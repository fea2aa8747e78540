import { bootstrapApplication } from '@angular/platform-browser';
import { provideZonelessChangeDetection } from '@angular/core';
import { ChatPage } from './chat-page';

bootstrapApplication(ChatPage, { providers: [provideZonelessChangeDetection()] }).catch((error: unknown) =>
  console.error(error),
);
