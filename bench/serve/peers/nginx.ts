import type { ServerContender } from '../contender.ts'

/** What HTTP alone costs a server in C: nginx answering every request with the same 120 bytes. */
export const NGINX: ServerContender = {
  kind: 'server',
  name: 'limit-nginx',
  models: ['mlp'],
  protocols: ['v2-json'],
  program: 'nginx',
  isBlind: true,
  toLaunch: ({ folder, ports }) => ({
    command: ['nginx', '-p', folder, '-c', `${folder}/nginx.conf`, '-e', `${folder}/error.log`],
    files: { 'nginx.conf': toConfig(ports.http) },
  }),
}

const TEMPORARY = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']

function toConfig(port: number): string {
  return `daemon off;
master_process off;
worker_processes 1;
pid nginx.pid;
events { worker_connections 1024; }
http {
  access_log off;
  keepalive_requests 1000000000;
  ${TEMPORARY.map(name => `${name}_temp_path ${name};`).join('\n  ')}
  server {
    listen 127.0.0.1:${port};
    default_type application/json;
    location / { return 200 '{"y":[[${'0.123456,'.repeat(12)}0.5]]}'; }
  }
}
`
}
