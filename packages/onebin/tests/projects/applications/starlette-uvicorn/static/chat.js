new WebSocket(`ws://${location.host}/ws`);
